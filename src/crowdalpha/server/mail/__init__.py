"""Letters by SMTP, for operators who have a mail server; without one, links are shown instead."""
