"""The static multilingual embedding (English, Spanish, Hebrew): its texts and its training."""
