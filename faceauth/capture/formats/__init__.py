"""What a picture's bytes say about themselves, read before anything is decoded."""
