// Package lesson holds the lessons: each is a scenario of the catalogue with a question, guesses to choose from, an
// explanation, and other ways to break (or mend) the same thing. A lesson is a file in lessons; the order of the files is
// the order of teaching.
//
// The files state which guess is right, and this package never runs anything: who shows a lesson makes the legs, and
// asks Lesson.Right which guess they bear out. A test makes the legs of every lesson and of every way to break it, and
// fails if they say something else than the file does.
package lesson
