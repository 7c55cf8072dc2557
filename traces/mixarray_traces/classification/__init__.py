"""Top-1 accuracy of classifiers, float and quantized."""
