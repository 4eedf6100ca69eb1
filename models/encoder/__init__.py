"""Text encoders: their packaged weights, and the ONNX graphs that are made of them."""
