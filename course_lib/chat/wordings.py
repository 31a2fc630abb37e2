"""How each question is worded: of seven wordings the first four are for training, one validates and two test."""

WORDINGS: dict[str, tuple[str, ...]] = {
    "define": (
        "What does {word} mean?", "Define {word}.", "Give the meaning of {word}.", "What is meant by {word}?",
        "Explain the word {word}.", "Tell me what {word} means.", "In a few words, what is the sense of {word}?",
    ),
    "rhyme": (
        "What rhymes with {word}?", "Name a word that rhymes with {word}.", "Give me a rhyme for {word}.",
        "Find a rhyme: {word}.",
        "Which word sounds like {word} at its end?", "I need a word to rhyme with {word}.", "Say a rhyme of {word}.",
    ),
    "spell": (
        "Spell {word}.", "How do you spell {word}?", "Spell the word {word}.", "Give the letters of {word}.",
        "Write {word} letter by letter.", "Please spell out {word}.", "What are the letters of {word}, one by one?",
    ),
    "count": (
        "How many times is {letter} in {word}?", "Count the letter {letter} in {word}.",
        "How many {letter} has {word}?", "How often is {letter} in {word}?",
        "In {word}, how many letters are {letter}?", "Tell me how often {word} has the letter {letter}.",
        "The letter {letter}: how many are there in {word}?",
    ),
    "sort": (
        "Sort these words: {words}.", "Put in alphabetical order: {words}.", "Sort by alphabet: {words}.",
        "Order the words {words}.",
        "Arrange these from a to z: {words}.", "Which order do {words} have in a dictionary?",
        "Please sort {words} alphabetically.",
    ),
    "arithmetic": (
        "What is {sum}?", "Compute {sum}.", "How much is {sum}?", "{sum} = ?",
        "Work out {sum}.", "Tell me the result of {sum}.", "What do you get for {sum}?",
    ),
    "weekday": (
        "What day of the week was {date}?", "Which weekday was {date}?", "On what weekday fell {date}?",
        "{date} was a ...",
        "Give the weekday of {date}.", "Tell me the day of the week: {date}.", "Name the weekday that {date} was.",
    ),
    "days": (
        "How many days are there from {first} to {last}?", "Count the days from {first} to {last}.",
        "How many days lie between {first} and {last}?", "{first} to {last}: how many days?",
        "How many days is {last} after {first}?", "If today is {first}, in how many days is {last}?",
        "Tell me how many days pass from {first} until {last}.",
    ),
    "numbers": (
        "Write {number} in words.", "How is {number} written in words?", "{number} in words:", "Spell out {number}.",
        "Put the number {number} into words.", "How do you say {number}?", "Say {number} in English words.",
    ),
    "python": (
        "Write a Python expression for {task}.", "Python for {task}?", "In Python: {task}.",
        "Give a Python expression: {task}.",
        "How do you get {task} in Python?", "Which Python expression gives {task}?", "Translate into Python: {task}.",
    ),
}  # fmt: skip
PLACES = {"train": slice(0, 4), "validation": slice(4, 5), "test": slice(5, 7)}
