package datalog

import (
	"fmt"
	"math/bits"
	"strconv"
)

const (
	secondsPerDay = 86400

	// Days in 400 years of the Gregorian calendar, after which it repeats.
	daysPerEra = 146097

	// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their
	// leap day at the end, which keeps the arithmetic free of special cases.
	daysToEpoch = 719468

	// The last second of 64 bits lies in a year of twelve digits.
	maxYearDigits = 12
)

// dateAt reports whether a date begins at offset i: digits, then -99-99T. That
// much is no arithmetic, so what follows must complete the date.
func dateAt(src string, i int) bool {
	for i < len(src) && isDigit(src[i]) {
		i++
	}
	const shape = "-00-00T"
	if len(src)-i < len(shape) {
		return false
	}
	for j := range len(shape) {
		c := src[i+j]
		switch shape[j] {
		case '0':
			if !isDigit(c) {
				return false
			}
		case 'T':
			if c != 'T' && c != 't' {
				return false
			}
		default:
			if c != shape[j] {
				return false
			}
		}
	}
	return true
}

// date reads a date and time of RFC 3339, section 5.6. The fraction of a second
// is dropped. Years may have more than four digits, up to the last second that
// 64 bits hold; dates before 1970 and leap seconds are refused.
func (l *lexer) date() (Date, error) {
	start := l.pos
	for isDigit(l.peek()) {
		l.pos++
	}
	digits := l.src[start:l.pos]
	if len(digits) < 4 || len(digits) > maxYearDigits || len(digits) > 4 && digits[0] == '0' {
		return 0, l.fail(start, "a year has at least four digits, and no more than it needs")
	}
	year, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, l.fail(start, "invalid year")
	}

	ok := true
	field := func(before string, low, high int64) int64 {
		p := l.pos + len(before)
		if !ok || !l.accept(before) || len(l.src)-p < 2 || !isDigit(l.src[p]) || !isDigit(l.src[p+1]) {
			ok = false
			return low
		}
		l.pos += 2
		n := int64(l.src[p]-'0')*10 + int64(l.src[p+1]-'0')
		ok = low <= n && n <= high
		return n
	}
	month := field("-", 1, 12)
	day := field("-", 1, 31)
	if ok {
		l.pos++ // T, of either case
	}
	hour := field("", 0, 23)
	minute := field(":", 0, 59)
	second := field(":", 0, 59)
	if !ok || day > daysIn(year, month) {
		return 0, l.fail(start, "not a date of the calendar, as in 2006-01-02T15:04:05Z")
	}
	if l.accept(".") {
		if !isDigit(l.peek()) {
			return 0, l.unexpected("the digits of a fraction")
		}
		for isDigit(l.peek()) {
			l.pos++
		}
	}
	var offset int64
	switch sign := l.peek(); sign {
	case 'Z', 'z':
		l.pos++
	case '+', '-':
		l.pos++
		offset = field("", 0, 23) * 3600
		offset += field(":", 0, 59) * 60
		if sign == '-' {
			offset = -offset
		}
	default:
		ok = false
	}
	if !ok {
		return 0, l.unexpected("Z or an offset such as +01:00")
	}
	if name := nameAt(l.src, l.pos); name != "" {
		return 0, l.fail(l.pos, "unexpected %s after a date", quoteName(name))
	}

	days := daysFromCivil(year, month, day)
	rest := hour*3600 + minute*60 + second - offset
	for ; rest < 0; rest += secondsPerDay {
		days--
	}
	for ; rest >= secondsPerDay; rest -= secondsPerDay {
		days++
	}
	if days < 0 {
		return 0, l.fail(start, "dates before 1970 cannot be expressed")
	}
	high, low := bits.Mul64(uint64(days), secondsPerDay)
	sum, carry := bits.Add64(low, uint64(rest), 0)
	if high != 0 || carry != 0 {
		return 0, l.fail(start, "the seconds of this date do not fit in 64 bits")
	}
	return Date(sum), nil
}

// appendDate appends a date in UTC.
func appendDate(b []byte, d Date) []byte {
	year, month, day := civilFromDays(int64(d / secondsPerDay))
	s := d % secondsPerDay
	return fmt.Appendf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, s/3600, s/60%60, s%60)
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysFromCivil returns the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar, for years from 0.
func daysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	if year < 0 { // January and February of year 0
		return -1
	}
	monthDays := (153*(month-3) + 2) / 5 // March to the month before
	return year*365 + year/4 - year/100 + year/400 + monthDays + day - 1 - daysToEpoch
}

// civilFromDays is the inverse of daysFromCivil, for days from 0.
func civilFromDays(days int64) (year, month, day int64) {
	days += daysToEpoch
	era, ofEra := days/daysPerEra, days%daysPerEra
	// Without the leap days of the era, every year has 365.
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (yearOfEra*365 + yearOfEra/4 - yearOfEra/100)
	m := (5*ofYear + 2) / 153
	day = ofYear - (153*m+2)/5 + 1
	year, month = era*400+yearOfEra, m+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}
