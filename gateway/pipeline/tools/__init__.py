"""What a model may use while it answers: tools, each with the schemas of both its sides."""
