"""The page that holds quantization methods against each other: accuracy and hardware, method by method."""
