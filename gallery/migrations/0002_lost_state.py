from django.db import migrations, models

PREFIX = "lost: "


def mark_lost(apps, schema_editor):
    """What the text of a failure used to say has a state of its own."""
    images = apps.get_model("gallery", "Image").objects
    for image in images.filter(state="failed", failure__startswith=PREFIX).iterator():
        image.state, image.failure = "lost", image.failure.removeprefix(PREFIX)
        image.save(update_fields=["state", "failure"])


def mark_failed(apps, schema_editor):
    for image in apps.get_model("gallery", "Image").objects.filter(state="lost").iterator():
        image.state, image.failure = "failed", PREFIX + image.failure
        image.save(update_fields=["state", "failure"])


class Migration(migrations.Migration):

    dependencies = [
        ("gallery", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="image",
            name="state",
            field=models.CharField(choices=[("received", "waiting"), ("ready", "ready"), ("failed", "failed"), ("lost", "lost")], db_index=True, default="received", max_length=10),
        ),
        migrations.RunPython(mark_lost, mark_failed),
    ]
