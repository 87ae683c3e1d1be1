from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0003_access'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='priority',
            field=models.PositiveSmallIntegerField(choices=[(0, 'upload'), (1, 'import')], default=0, help_text='Which photos are ingested first.'),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['state', 'priority', 'tries', 'id'], name='gallery_ima_state_75c00e_idx'),
        ),
    ]
