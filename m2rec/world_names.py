"""Names of the shipped worlds that need to be told from the others."""

MARKET = "rhythm-market"  # whose true causes are known; the first world on the page and on the command line
FILMS = "ml-1m"  # the data of the paper's own table
