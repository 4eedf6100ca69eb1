"""A Llama-family decoder in JAX: weights, forward pass, adapters, sampling and batching."""
