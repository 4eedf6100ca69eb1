"""The Cloudflare Python Worker: the gateway's own code behind the Worker's entry and bindings."""
