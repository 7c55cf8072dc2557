"""Hugging Face models whose Swin backbone is replaced by ours; needs the extra `hf`."""
