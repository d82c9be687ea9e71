"""What happened in the example course: who, when, what was given, measured and answered. Read by make_examples.py.

All of it is invented: no real person, clinic or measurement is behind it. The answers stand in tables, a column a
response and a row a question: ``-`` is a question that was skipped or not shown, ``a+b`` two answers, and free text
stands in ``WORDS``.
"""

# ruff: noqa: E501  (tables are easier to read in one piece)

from __future__ import annotations

from dataclasses import dataclass, field

ZONE = "+02:00"


@dataclass(frozen=True)
class Dose:
    """One administration: times of day, mg, mg/kg and mg/kg/h."""

    start: str
    end: str
    milligrams: float
    per_kg: float
    per_kg_per_hour: float


@dataclass(frozen=True)
class Session:
    """One infusion. ``vitals`` is: when, time of day, systolic, diastolic, heart rate, breaths, oxygen saturation.

    ``discharge`` lists the time of day of each judgement whether the patient can leave; the last one said yes.
    """

    number: int
    day: str
    weight: float
    doses: tuple[Dose, ...]
    vitals: tuple[tuple[str, str, int, int, int, int, int], ...]
    before: str
    during: tuple[str, ...]
    after: str
    discharge: tuple[str, ...]
    next_day: str = field(default="")


# 0.5 mg/kg over 40 min is 0.75 mg/kg/h: 40 mg at 80 kg, 39.5 mg at 79 kg. In session 2 the rate was halved after 30 min
# (0.375 mg/kg, 30 mg), so that the other 0.125 mg/kg (10 mg) took 20 min.
SESSIONS = (
    Session(
        number=1,
        day="2026-09-07",
        weight=80,
        doses=(Dose("10:00", "10:40", 40, 0.5, 0.75),),
        vitals=(
            ("before", "09:45", 122, 78, 72, 14, 98),
            ("during-15", "10:16", 134, 84, 80, 15, 97),
            ("during-30", "10:31", 140, 88, 84, 15, 97),
            ("discharge", "11:45", 124, 79, 73, 14, 98),
        ),
        before="09:30",
        during=("10:15", "10:30"),
        after="11:10",
        discharge=("11:50",),
        next_day="2026-09-08T10:30",
    ),
    Session(
        number=2,
        day="2026-09-10",
        weight=80,
        doses=(Dose("10:05", "10:35", 30, 0.375, 0.75), Dose("10:35", "10:55", 10, 0.125, 0.375)),
        vitals=(
            ("before", "09:50", 126, 80, 76, 15, 98),
            ("during-15", "10:21", 142, 90, 88, 16, 97),
            ("during-30", "10:36", 150, 94, 96, 17, 96),
            ("discharge-refused", "12:00", 138, 88, 86, 16, 97),
            ("discharge", "12:50", 128, 82, 78, 15, 98),
        ),
        before="09:35",
        during=("10:20", "10:34"),
        after="11:30",
        discharge=("12:05", "12:55"),
        next_day="2026-09-11T11:00",
    ),
    Session(
        number=3,
        day="2026-09-14",
        weight=80,
        doses=(Dose("10:00", "10:40", 40, 0.5, 0.75),),
        vitals=(
            ("before", "09:45", 120, 76, 70, 14, 99),
            ("during-15", "10:16", 132, 82, 78, 14, 98),
            ("during-30", "10:31", 138, 86, 82, 15, 98),
            ("discharge", "11:40", 122, 78, 72, 14, 99),
        ),
        before="09:30",
        during=("10:15", "10:30"),
        after="11:05",
        discharge=("11:45",),
        next_day="2026-09-15T10:15",
    ),
    Session(
        number=4,
        day="2026-09-17",
        weight=79,
        doses=(Dose("09:55", "10:35", 39.5, 0.5, 0.75),),
        vitals=(
            ("before", "09:40", 121, 77, 71, 14, 98),
            ("during-15", "10:11", 130, 82, 77, 14, 98),
            ("during-30", "10:26", 136, 85, 81, 15, 97),
            ("discharge", "11:35", 121, 77, 72, 14, 98),
        ),
        before="09:25",
        during=("10:10", "10:25"),
        after="11:00",
        discharge=("11:40",),
        next_day="2026-09-18T09:50",
    ),
    Session(
        number=5,
        day="2026-09-21",
        weight=79,
        doses=(Dose("10:10", "10:50", 39.5, 0.5, 0.75),),
        vitals=(
            ("before", "09:55", 118, 75, 68, 13, 98),
            ("during-15", "10:26", 128, 80, 75, 14, 98),
            ("during-30", "10:41", 133, 84, 79, 14, 97),
            ("discharge", "11:50", 119, 76, 69, 13, 98),
        ),
        before="09:40",
        during=("10:25", "10:40"),
        after="11:15",
        discharge=("11:55",),
        next_day="2026-09-22T10:40",
    ),
    Session(
        number=6,
        day="2026-09-24",
        weight=79,
        doses=(Dose("10:00", "10:40", 39.5, 0.5, 0.75),),
        vitals=(
            ("before", "09:45", 117, 75, 67, 13, 99),
            ("during-15", "10:16", 126, 80, 74, 14, 98),
            ("during-30", "10:31", 130, 82, 77, 14, 98),
            ("discharge", "11:35", 118, 75, 68, 13, 99),
        ),
        before="09:30",
        during=("10:15", "10:30"),
        after="11:00",
        discharge=("11:40",),
        next_day="2026-09-25T10:20",
    ),
)

# The Mondays: week, PHQ-9, GAD-7, keta-follow-up (from week 3 on: before, each infusion has its own form a day later).
# Weeks 0 to 2 fall on the morning of an infusion.
WEEKS = (
    (0, "2026-09-07T09:05", "2026-09-07T09:15", ""),
    (1, "2026-09-14T09:05", "2026-09-14T09:15", ""),
    (2, "2026-09-21T09:10", "2026-09-21T09:20", ""),
    (3, "2026-09-28T18:00", "2026-09-28T18:06", "2026-09-28T18:15"),
    (4, "2026-10-05T18:30", "2026-10-05T18:35", "2026-10-05T18:42"),
    (5, "2026-10-12T19:00", "2026-10-12T19:05", "2026-10-12T19:12"),
    (6, "2026-10-19T18:10", "2026-10-19T18:14", "2026-10-19T18:22"),
)

PHQ_9 = """
             week-0    week-1    week-2    week-3    week-4    week-5    week-6
44250-9      LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3
44255-8      LA6571-9  LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3
44259-0      LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6570-1  LA6569-3  LA6569-3
44254-1      LA6571-9  LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6570-1  LA6569-3
44251-7      LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3
44258-2      LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3
44252-5      LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3
44253-3      LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6568-5  LA6568-5
44260-8      LA6569-3  LA6568-5  LA6568-5  LA6568-5  LA6568-5  LA6568-5  LA6568-5
69722-7      LA6575-0  LA6575-0  LA6573-5  LA6573-5  LA6573-5  LA6573-5  LA6572-7
phq-9.total  21        17        13        10        9         8         7
"""

# In week 5 the last question was skipped, so there is no total.
GAD_7 = """
             week-0    week-1    week-2    week-3    week-4    week-5    week-6
69725-0      LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3
68509-9      LA6570-1  LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6568-5
69733-4      LA6571-9  LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3
69734-2      LA6570-1  LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6568-5  LA6569-3
69735-9      LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6568-5  LA6568-5  LA6568-5
69689-8      LA6570-1  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3  LA6569-3
69736-7      LA6569-3  LA6569-3  LA6569-3  LA6568-5  LA6568-5  -         LA6568-5
gad-7.total  13        11        9         6         5         -         4
"""

BEFORE = """
                        session-1          session-2  session-3  session-4  session-5  session-6
earlier-reaction        no                 no         yes        yes        no         no
psychosis-history       no                 no         no         no         no         no
sedative-today          no                 no         no         no         no         no
alcohol-or-drugs-today  prefer-not-to-say  no         no         no         no         no
fear                    6                  5          7          -          3          2
fear.declined           -                  -          -          true       -          -
mood                    2                  3          3          4          5          6
relaxation              3                  3          2          5          5          6
callback-wanted         false              false      true       false      false      false
"""

DURING_15 = """
                  session-1   session-2   session-3  session-4  session-5  session-6
overall-feeling   neutral     unpleasant  neutral    pleasant   pleasant   pleasant
fear              5           6           4          2          2          1
infusion-request  go-on       go-on       go-on      go-on      go-on      go-on
nausea            not-at-all  moderately  slightly   slightly   -          not-at-all
detachment        slightly    moderately  slightly   slightly   slightly   moderately
"""

DURING_30 = """
                  session-1   session-2   session-3   session-4      session-5      session-6
overall-feeling   pleasant    unpleasant  pleasant    very-pleasant  very-pleasant  pleasant
fear              3           6           3           -              1              1
fear.declined     -           -           -           true           -              -
infusion-request  go-on       slow        go-on       go-on          go-on          go-on
nausea            slightly    extremely   slightly    not-at-all     not-at-all     not-at-all
detachment        moderately  strongly    moderately  moderately     strongly       moderately
"""

AFTER = """
                                     session-1        session-2               session-3        session-4        session-5      session-6
nausea                               slightly         moderately              not-at-all       not-at-all       not-at-all     not-at-all
vomiting                             0                1                       0                0                0              0
stomach-discomfort                   not-at-all       moderately              not-at-all       not-at-all       not-at-all     not-at-all
drowsiness                           moderately       strongly                moderately       slightly         slightly       slightly
fatigue                              slightly         moderately              slightly         slightly         not-at-all     slightly
other-effects                        dizziness        dizziness+unsteadiness  blurred-vision   -                headache       -
headache                             -                -                       -                -                slightly       -
dizziness                            slightly         moderately              -                -                -              -
blurred-vision                       -                -                       slightly         -                -              -
unsteadiness                         -                strongly                -                -                -              -
body-detachment                      moderately       strongly                moderately       moderately       strongly       moderately
body-detachment.how-it-felt          neutral          unpleasant              neutral          pleasant         very-pleasant  pleasant
surroundings-detachment              slightly         moderately              slightly         slightly         moderately     slightly
surroundings-detachment.how-it-felt  neutral          unpleasant              neutral          neutral          pleasant       pleasant
time-perception                      moderately       moderately              moderately       slightly         moderately     slightly
time-perception.how-it-felt          neutral          neutral                 neutral          neutral          pleasant       neutral
space-perception                     not-at-all       slightly                slightly         -                slightly       not-at-all
space-perception.how-it-felt         -                unpleasant              neutral          -                neutral        -
self-perception                      not-at-all       slightly                slightly         slightly         moderately     slightly
self-perception.how-it-felt          -                neutral                 neutral          pleasant         pleasant       pleasant
floating                             slightly         moderately              strongly         moderately       strongly       strongly
floating.how-it-felt                 pleasant         unpleasant              pleasant         pleasant         very-pleasant  very-pleasant
visual-effects                       slightly         slightly                moderately       slightly         slightly       not-at-all
visual-effects.how-it-felt           neutral          neutral                 pleasant         pleasant         pleasant       -
visual-effects.how-long              moments          minutes                 minutes          moments          minutes        -
auditory-effects                     not-at-all       slightly                not-at-all       not-at-all       slightly       not-at-all
auditory-effects.how-it-felt         -                neutral                 -                -                neutral        -
auditory-effects.how-long            -                moments                 -                -                moments        -
emotional-release                    not-at-all       slightly                strongly         moderately       slightly       slightly
emotional-release.how-it-felt        -                neutral                 pleasant         pleasant         neutral        pleasant
new-perspectives                     not-at-all       not-at-all              moderately       slightly         moderately     slightly
mood                                 3                3                       5                6                6              7
mood-change                          a-little-better  no-change               much-better      much-better      a-little-better  a-little-better
relaxation                           6                4                       7                7                8              8
clarity                              4                3                       4                5                5              6
clarity-change                       no-change        a-little-worse          no-change        no-change        no-change      a-little-better
support-available                    yes              yes                     yes              yes              yes            yes
callback-wanted                      false            false                   false            false            -              false
"""

DISCHARGE = """
                                       session-1  session-2-discharge-refused  session-2  session-3  session-4  session-5  session-6
instructions-understood                yes        yes                          yes        yes        yes        yes        yes
driving-advice-understood              yes        yes                          yes        yes        yes        yes        yes
contact-known                          yes        yes                          yes        yes        yes        yes        yes
escort-present                         yes        no                           yes        yes        yes        yes        yes
callback-wanted                        false      false                        true       false      false      false      false
discharge-readiness.oriented           true       true                         true       true       true       true       true
discharge-readiness.steady             true       false                        true       true       true       true       true
discharge-readiness.vitals-acceptable  true       true                         true       true       true       true       true
discharge-readiness.instructions       true       true                         true       true       true       true       true
discharge-readiness.driving-advice     true       true                         true       true       true       true       true
discharge-readiness.escort             true       false                        true       true       true       true       true
discharge-readiness                    true       false                        true       true       true       true       true
"""

FOLLOW_UP = """
                            session-1        session-2    session-3    session-4        session-5        session-6
effects-returned            no               no           no           no               no               no
drove-early                 no               no           no           no               no               no
vomiting                    0                1            0            0                0                0
stomach-discomfort          not-at-all       moderately   not-at-all   not-at-all       not-at-all       not-at-all
stomach-discomfort.ongoing  -                false        -            -                -                -
other-effects               headache         nightmares   -            -                -                -
headache                    slightly         -            -            -                -                -
headache.ongoing            false            -            -            -                -                -
nightmares                  -                slightly     -            -                -                -
nightmares.ongoing          -                false        -            -                -                -
nausea                      not-at-all       slightly     not-at-all   not-at-all       not-at-all       not-at-all
drowsiness                  slightly         slightly     not-at-all   not-at-all       slightly         not-at-all
fatigue                     moderately       moderately   slightly     slightly         slightly         slightly
mood                        3                3            5            5                6                7
relaxation                  4                4            6            6                7                7
clarity                     5                4            6            6                6                7
mood-change                 no-change        no-change    much-better  a-little-better  a-little-better  a-little-better
clarity-change              no-change        no-change    no-change    a-little-better  no-change        a-little-better
mood-benefit-noticed        false            false        true         true             true             true
mood-benefit-first-day      -                -            2026-09-14   2026-09-17       2026-09-22       2026-09-25
mood-benefit-still-there    -                -            true         true             true             true
time-to-process             false            true         true         false            false            false
shared-experience           false            true         true         true             true             -
wants-to-talk               false            true         false        false            false            false
support-available           yes              yes          yes          prefer-not-to-say  yes            yes
callback-wanted             false            false        false        false            false            false
"""

WEEKLY = """
                            week-3           week-4           week-5           week-6
effects-returned            no               no               yes              no
drove-early                 no               no               no               no
vomiting                    0                0                0                0
stomach-discomfort          not-at-all       slightly         not-at-all       not-at-all
stomach-discomfort.ongoing  -                false            -                -
other-effects               headache         -                -                memory-gaps
headache                    slightly         -                -                -
headache.ongoing            true             -                -                -
memory-gaps                 -                -                -                slightly
memory-gaps.ongoing         -                -                -                false
nausea                      not-at-all       not-at-all       not-at-all       not-at-all
drowsiness                  not-at-all       not-at-all       not-at-all       slightly
fatigue                     slightly         slightly         not-at-all       slightly
mood                        7                7                7                6
relaxation                  6                7                7                6
clarity                     7                7                8                7
mood-change                 much-better      much-better      much-better      a-little-better
clarity-change              a-little-better  a-little-better  a-little-better  no-change
mood-benefit-noticed        true             true             true             true
mood-benefit-first-day      2026-09-25       2026-09-25       2026-09-25       2026-09-25
mood-benefit-still-there    true             true             true             false
mood-benefit-last-day       -                -                -                2026-10-17
time-to-process             true             false            false            false
shared-experience           true             true             false            false
wants-to-talk               false            false            false            false
support-available           yes              yes              yes              yes
callback-wanted             false            false            false            true
"""

WORDS = {
    "session-1-before": {"concern": "I am a little worried that I will not be able to move."},
    "session-2-after": {"concern": "Being sick was worse than the rest of it."},
    "session-2-discharge-refused": {
        "discharge-readiness.in-own-words": "Still sways when standing up, and the escort has not arrived. Look again in 45 minutes."
    },
    "session-3-before": {"earlier-reaction.in-own-words": "I was very sick last time and threw up once."},
    "session-3-after": {
        "new-perspectives.in-own-words": "I could look at an old worry as if from a boat. It seemed smaller than before."
    },
    "session-4-before": {"earlier-reaction.in-own-words": "Sick in the second infusion, fine since then."},
    "week-5-follow-up": {
        "effects-returned.in-own-words": "A short floating feeling while falling asleep. It did not bother me."
    },
    "week-6-follow-up": {"concern": "My mood has been a bit lower for two days. What happens now?"},
}

# Single files for readers, and the parents of examples/invalid: file -> resource of the course.
SINGLES = {
    "responses/keta-before.json": "QuestionnaireResponse/session-1-before",
    "responses/keta-during.json": "QuestionnaireResponse/session-2-during-30",
    "responses/keta-after.json": "QuestionnaireResponse/session-3-after",
    "responses/keta-discharge.json": "QuestionnaireResponse/session-2-discharge-refused",
    "responses/keta-follow-up.json": "QuestionnaireResponse/week-6-follow-up",
    "responses/phq-9.json": "QuestionnaireResponse/week-0-phq-9",
    "responses/gad-7.json": "QuestionnaireResponse/week-0-gad-7",
    "observations/keta-experience.json": "Observation/session-3-after-visual-effects",
    "observations/keta-side-effect.json": "Observation/week-3-follow-up-headache",
    "observations/keta-rating.json": "Observation/session-3-after-mood",
    "observations/keta-change.json": "Observation/session-3-after-mood-change",
    "observations/keta-statement.json": "Observation/session-2-during-30-infusion-request",
    "observations/keta-mood-benefit.json": "Observation/week-6-follow-up-mood-benefit",
    "observations/keta-concern.json": "Observation/session-2-after-concern",
    "observations/keta-instrument-item.json": "Observation/week-0-phq-9-44260-8",
    "observations/keta-score.json": "Observation/week-0-phq-9-total",
    "observations/keta-discharge-readiness.json": "Observation/session-2-discharge-refused-discharge-readiness",
    "observations/blood-pressure.json": "Observation/session-1-before-blood-pressure",
    "records/patient.json": "Patient/keta-example-patient",
    "records/condition.json": "Condition/keta-example-depression",
    "records/keta-infusion.json": "Procedure/session-2-infusion",
    "records/keta-administration.json": "MedicationAdministration/session-2-administration-1",
    "records/keta-adverse-event.json": "AdverseEvent/session-2-nausea",
    "records/flag.json": "Flag/week-0-phq-9-44260-8",
    "records/task.json": "Task/session-2-during-30-nausea",
}
