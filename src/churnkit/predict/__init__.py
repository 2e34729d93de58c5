"""The frame of prediction: earlier cutoffs to learn from, the model and its file, scores, reasons and the backtest."""
