"""The LAMDA format: `read_lamda` corrects and warns, `render_lamda` writes what every reader accepts.

The reader is in lamda_read (the file), lamda_levels (levels and lines), lamda_rates (rate rows),
lamda_partner (colliders and names) and lamda_cursor (lines and words); the writer is in
lamda_write (text), lamda_rules (data) and writer_rules (data, for other writers too).
"""

from ratedb.io.lamda_read import looks_like_lamda, read_lamda
from ratedb.io.lamda_write import LamdaText, render_lamda
from ratedb.io.writer_rules import WriterWarning

__all__ = ["LamdaText", "WriterWarning", "looks_like_lamda", "read_lamda", "render_lamda"]
