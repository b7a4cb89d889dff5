"""Programs a person runs, each with ``python -m rnnfast.examples.<name>``.

=================  ===============================================================================
char_lm            A character language model trained on English text, beside a trigram model.
torch_swap         A PyTorch model trained with torch's modules, then with rnnfast's.
torch_classifier   Many to one under PyTorch: which waveform a sequence is.
torch_distributed  A PyTorch model trained by several processes: with ``torchrun``.
=================  ===============================================================================
"""
