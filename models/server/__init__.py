"""The model server: OpenAI's dialect over the engines, in a process of its own."""
