"""`manage.py create_token`: an API token without a browser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from gallery.access.forms import TokenForm
from gallery.access.models import ApiToken
from gallery.catalogue import prepare_catalogue


class Command(BaseCommand):
    help = "Make an API token for a person and print it, this one time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--user", required=True, help="whose token it is")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.READ)

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_catalogue()
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody who may sign in is named {options['user']}.")
        form = TokenForm({"name": options["name"], "scope": options["scope"]})
        if not form.is_valid():
            raise CommandError("A token needs a name of at most 100 characters.")
        _, text = ApiToken.objects.make(user, form.cleaned_data["name"], form.chosen_scope)
        self.stdout.write(text)
