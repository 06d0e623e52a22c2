"""Product names in capitals, as a till prints them, respelled as in a sentence."""

import re

PROPER = """
Acapulco Afghan Amelie Antoinette Boudicca Camden Carlo Charlie Charlotte Chinese Christmas Cinderella Claire
Columbian Covent Crusoe Czech Danish Dolly Dutch Easter Edwardian Elvis Emily England English France French George
Georgian Goldie Halloween Hawaiian Heidi Helga Henrietta Hilda Indians Ingrid Jack Kashmir Kashmiri Kensington Lola
London Madeline Madras Mao Maria Marie Mexican Molly Monte Montana Moroccan Morris Mr Mrs Murano Nancy Nicole Noel
Notting Olivia Ollie Oxford Paris Parisienne Paul Poppy's Portobello Provence Purdey Rachel Rebecca Rex Robinson
Roman Rosie Russian Sally Sanskrit Santa Santas Savoy Scandinavian Scottie Scotties Sophie St Suki Susan Susie Swiss
Tigris Tokyo Tropez Tuscan Union Valentine Vegas Victorian Willie Winkie
"""
CAPITALS = "ABC CD I I'm LED TV VIP WC"
_WORDS = {word.lower(): word for word in (PROPER + CAPITALS).split()}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def spelled(name: str) -> str:
    """A name as a sentence has it: capitals at its beginning, for names of people and places, and for abbreviations.

    >>> spelled("WHITE HANGING HEART T-LIGHT HOLDER")
    'White hanging heart t-light holder'
    >>> spelled("KEY FOB , GARAGE  DESIGN,")
    'Key fob, garage design'
    >>> spelled("I LOVE LONDON MINI BACKPACK")
    'I love London mini backpack'
    """
    spaced = re.sub(r"\s*,\s*(?=\D)", ", ", " ".join(name.split()))  # not in "1,000"
    small = _WORD.sub(lambda word: _WORDS.get(word[0].lower(), word[0].lower()), spaced.rstrip(" .,"))
    return small[:1].upper() + small[1:]
