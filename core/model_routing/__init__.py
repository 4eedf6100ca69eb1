"""Which model answers, for whom and at what cost: the rules, without a store and without a model.

Whether the knowledge base, the visitor's device or the gateway answers is decided before, in
`core.route`.
"""
