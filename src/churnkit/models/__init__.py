"""The maths of the models: arrays in, arrays out.

A fitted model is a frozen dataclass of plain numbers and NumPy arrays. scikit-learn and SciPy are imported only inside
the functions that fit; predicting, explaining and loading are NumPy alone. No file here knows what a customer is.
"""
