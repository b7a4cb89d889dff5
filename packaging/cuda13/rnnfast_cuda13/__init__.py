"""The extension of rnnfast for NVIDIA's GPUs, which `rnnfast` finds here."""
