"""The demo's host page: a website of its own that embeds the widget."""
