"""SCALE-Sim's own answers, recorded or fresh, against our reading of its files and its timing rule."""
