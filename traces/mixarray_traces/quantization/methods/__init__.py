"""Quantization methods: one file each, discovered by name. A file defines `calibrate(material, options)`."""
