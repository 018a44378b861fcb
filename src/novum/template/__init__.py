"""Research templates: the record that every phase sees, and its reading."""

from novum.template.clauses import Clause
from novum.template.reading import builtin_templates, load_template, read_template, template_folder
from novum.template.record import (
    CitationHint,
    ConfigValue,
    DeclaredMetric,
    EditableFunction,
    PaperFacts,
    Parameter,
    SeedEdit,
    SeedIdea,
    Template,
    TemplateProfile,
    Value,
)

__all__ = [
    "CitationHint",
    "Clause",
    "ConfigValue",
    "DeclaredMetric",
    "EditableFunction",
    "PaperFacts",
    "Parameter",
    "SeedEdit",
    "SeedIdea",
    "Template",
    "TemplateProfile",
    "Value",
    "builtin_templates",
    "load_template",
    "read_template",
    "template_folder",
]
