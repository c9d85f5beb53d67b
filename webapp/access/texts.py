"""The words of the log-in page, in one place."""

TEXTS = {
    "language": "en",
    "title": "Sign in · AnomalyLoop",
    "heading": "Sign in",
    "name": "Name",
    "password": "Password",
    "submit": "Sign in",
    "help": "No account, or a forgotten password? An admin makes one, in Settings or on the command line.",
}
