import datetime
import uuid

import django.db.models.expressions
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpline", "0008_directory"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpeningException",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("opens", models.SmallIntegerField()),
                ("closes", models.SmallIntegerField()),
                ("reason", models.CharField(max_length=12)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closes__lte", 1440), ("opens__gte", 0), ("opens__lt", models.F("closes"))),
                            models.Q(("closes", 0), ("opens", 0)),
                            _connector="OR",
                        ),
                        name="opening_exception_span_is_forward",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__in", ["holiday", "staff", "technical", "extended", "other"])),
                        name="opening_exception_reason_is_known",
                    ),
                    models.UniqueConstraint(fields=("day", "opens"), name="opening_exception_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateField()),
                ("weekday", models.SmallIntegerField()),
                ("opens", models.SmallIntegerField()),
                ("closes", models.SmallIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 0), ("weekday__lte", 6)),
                        name="opening_hours_weekday_is_of_the_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closes__lte", 1440), ("opens__gte", 0), ("opens__lt", models.F("closes"))),
                            models.Q(("closes", 0), ("opens", 0)),
                            _connector="OR",
                        ),
                        name="opening_hours_span_is_forward",
                    ),
                    models.UniqueConstraint(fields=("valid_from", "weekday", "opens"), name="opening_hours_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrafficDay",
            fields=[
                ("offered", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("abandoned_short", models.IntegerField()),
                ("abandoned", models.IntegerField()),
                ("closed", models.IntegerField()),
                ("voicemail", models.IntegerField()),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField(db_index=True)),
                ("queue", models.CharField(max_length=32)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("day__gte", datetime.date(2015, 1, 1))),
                        name="traffic_day_within_code_lists",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.GreaterThan(django.db.models.functions.text.Length("queue"), 0)
                        ),
                        name="traffic_day_queue_is_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offered__gte", 0),
                            ("answered__gte", 0),
                            ("abandoned_short__gte", 0),
                            ("abandoned__gte", 0),
                            ("closed__gte", 0),
                            ("voicemail__gte", 0),
                            (
                                "offered",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("answered"), "+", models.F("abandoned_short")
                                        ),
                                        "+",
                                        models.F("abandoned"),
                                    ),
                                    "+",
                                    models.F("closed"),
                                ),
                            ),
                            (
                                "voicemail__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("abandoned"), "+", models.F("closed")
                                ),
                            ),
                        ),
                        name="traffic_day_calls_add_up",
                    ),
                    models.UniqueConstraint(fields=("day", "queue"), name="traffic_day_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrafficGrid",
            fields=[
                ("offered", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("abandoned_short", models.IntegerField()),
                ("abandoned", models.IntegerField()),
                ("closed", models.IntegerField()),
                ("voicemail", models.IntegerField()),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("weekday", models.SmallIntegerField()),
                ("hour", models.SmallIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 0), ("weekday__lte", 6)),
                        name="traffic_grid_weekday_is_of_the_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hour__gte", 0), ("hour__lte", 23)),
                        name="traffic_grid_hour_is_of_the_clock",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offered__gte", 0),
                            ("answered__gte", 0),
                            ("abandoned_short__gte", 0),
                            ("abandoned__gte", 0),
                            ("closed__gte", 0),
                            ("voicemail__gte", 0),
                            (
                                "offered",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("answered"), "+", models.F("abandoned_short")
                                        ),
                                        "+",
                                        models.F("abandoned"),
                                    ),
                                    "+",
                                    models.F("closed"),
                                ),
                            ),
                            (
                                "voicemail__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("abandoned"), "+", models.F("closed")
                                ),
                            ),
                        ),
                        name="traffic_grid_calls_add_up",
                    ),
                    models.UniqueConstraint(fields=("month", "weekday", "hour"), name="traffic_grid_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrafficHour",
            fields=[
                ("offered", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("abandoned_short", models.IntegerField()),
                ("abandoned", models.IntegerField()),
                ("closed", models.IntegerField()),
                ("voicemail", models.IntegerField()),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField(db_index=True)),
                ("hour", models.SmallIntegerField()),
                ("is_second", models.BooleanField(default=False)),
                ("queue", models.CharField(max_length=32)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("day__gte", datetime.date(2015, 1, 1))),
                        name="traffic_hour_within_code_lists",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hour__gte", 0), ("hour__lte", 23)), name="traffic_hour_is_of_the_clock"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_second", False), ("hour", 2), _connector="OR"),
                        name="traffic_hour_second_only_at_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            django.db.models.lookups.GreaterThan(django.db.models.functions.text.Length("queue"), 0)
                        ),
                        name="traffic_hour_queue_is_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("offered__gte", 0),
                            ("answered__gte", 0),
                            ("abandoned_short__gte", 0),
                            ("abandoned__gte", 0),
                            ("closed__gte", 0),
                            ("voicemail__gte", 0),
                            (
                                "offered",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("answered"), "+", models.F("abandoned_short")
                                        ),
                                        "+",
                                        models.F("abandoned"),
                                    ),
                                    "+",
                                    models.F("closed"),
                                ),
                            ),
                            (
                                "voicemail__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("abandoned"), "+", models.F("closed")
                                ),
                            ),
                        ),
                        name="traffic_hour_calls_add_up",
                    ),
                    models.UniqueConstraint(fields=("day", "hour", "is_second", "queue"), name="traffic_hour_once"),
                ],
            },
        ),
    ]
