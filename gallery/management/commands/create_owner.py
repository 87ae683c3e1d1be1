"""`manage.py create_owner`: the first owner, or a new password for one who forgot it."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import transaction

from gallery.access.people import PersonRefused, add_person
from gallery.access.roles import Role, set_role
from gallery.catalogue import prepare_catalogue


class Command(BaseCommand):
    help = "Make an owner. An account of this name becomes one and gets the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of the standard input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_catalogue()
        name = options["name"]
        password = _piped_password() if options["password_stdin"] else _asked_password()
        try:
            # Nobody is left half made where the password turns out to be weak.
            with transaction.atomic():
                user = User.objects.filter(username=name).first() or add_person(name, Role.OWNER)
                validate_password(password, user)
                user.set_password(password)
                user.is_active = True
                user.save()
                set_role(user, Role.OWNER)
        except (PersonRefused, ValidationError) as error:
            sentences = error.messages if isinstance(error, ValidationError) else [str(error)]
            raise CommandError(" ".join(sentences)) from error
        self.stdout.write(f"{user} is an owner of the gallery now.")


def _piped_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is nobody to ask for a password here: give --password-stdin.")
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Password again: ")
    except (EOFError, KeyboardInterrupt):
        raise CommandError("Nothing was changed.") from None
    if password != again:
        raise CommandError("The two passwords are not the same. Nothing was changed.")
    return password
