"""The page: what a person sees and can do. Imports `m2rec.recommend`, and nothing imports it but the command line."""
