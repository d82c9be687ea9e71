"""Responses against their Questionnaire. It begins in ``checker``."""
