"""How good a forecast is: metrics, and the baselines it has to beat. Arrays in, numbers out."""
