"""The invariants and rules that no schema says, as small named functions."""
