"""Why an answer is what it is: spectra, themes, what each history item adds, the terms of a probability, past days."""
