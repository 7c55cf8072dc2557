"""The model: Swin transformers, their quantization, and the recorder that turns a run into a trace bundle."""
