"""Chat: questions that a program can check, a template, tools, and the stages that turn a language model into one."""
