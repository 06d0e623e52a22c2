"""The best forecasts possible in the market, the parts that they are made of, and how they are measured."""
