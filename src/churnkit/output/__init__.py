"""The one renderer: every command's answer, in every format, through one stream."""
