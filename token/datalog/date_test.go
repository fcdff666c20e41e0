package datalog

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDates(t *testing.T) {
	for _, c := range []struct {
		src     string
		want    Date
		printed string
	}{
		{"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
		{"1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00Z"},
		{"1970-01-01t00:00:00z", 0, "1970-01-01T00:00:00Z"},
		{"1969-12-31T23:30:00-01:00", 1800, "1970-01-01T00:30:00Z"},
		{"1970-01-01T23:59:00+23:59", 0, "1970-01-01T00:00:00Z"},
		{"1970-01-01T00:00:00.999999999999Z", 0, "1970-01-01T00:00:00Z"},
		{"2000-02-29T12:00:00Z", 951825600, "2000-02-29T12:00:00Z"},
		{"2018-12-20T01:02:03+02:00", 1545260523, "2018-12-19T23:02:03Z"},
		{"2018-12-31T23:59:59-23:59", 1546387139, "2019-01-01T23:58:59Z"},
		{"9999-12-31T23:59:59Z", 253402300799, "9999-12-31T23:59:59Z"},
		{"10000-01-01T00:00:00Z", 253402300800, "10000-01-01T00:00:00Z"},
		{"584554051223-11-09T07:00:15Z", math.MaxUint64, "584554051223-11-09T07:00:15Z"},
	} {
		got, err := ParseTerm(c.src, nil)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got != c.want || got.(Date).String() != c.printed {
			t.Errorf("%s: %d, printed as %v", c.src, got, got)
		}
	}
}

func TestDateErrors(t *testing.T) {
	for _, c := range []struct {
		src, msg string
		offset   int
	}{
		{"1969-12-31T23:59:59Z", "before 1970", 0},
		{"1969-12-31T23:59:59.9Z", "before 1970", 0},
		{"1970-01-01T00:59:59+01:00", "before 1970", 0},
		{"0000-01-01T00:00:00Z", "before 1970", 0},
		{"0000-02-29T00:00:00Z", "before 1970", 0},
		{"584554051223-11-09T07:00:16Z", "do not fit in 64 bits", 0},
		{"584554051223-11-10T00:00:00Z", "do not fit in 64 bits", 0},
		{"999999999999-12-31T23:59:59Z", "do not fit in 64 bits", 0},
		{"1000000000000-01-01T00:00:00Z", "year", 0},
		{"02019-01-01T00:00:00Z", "year", 0},
		{"999-01-01T00:00:00Z", "year", 0},
		{"2019-00-01T00:00:00Z", "not a date", 0},
		{"2019-13-01T00:00:00Z", "not a date", 0},
		{"2019-01-00T00:00:00Z", "not a date", 0},
		{"2019-01-32T00:00:00Z", "not a date", 0},
		{"2019-04-31T00:00:00Z", "not a date", 0},
		{"2019-02-29T00:00:00Z", "not a date", 0},
		{"2100-02-29T00:00:00Z", "not a date", 0},
		{"2019-01-01T24:00:00Z", "not a date", 0},
		{"2019-01-01T00:60:00Z", "not a date", 0},
		{"2016-12-31T23:59:60Z", "not a date", 0},
		{"2019-01-01T00:00Z", "not a date", 0},
		{"2019-01-01T0:00:00Z", "not a date", 0},
		{"2019-01-01T", "not a date", 0},
		{"2019-01-01T00:00:00", "expected Z or an offset", 19},
		{"2019-01-01T00:00:00.Z", "digits of a fraction", 20},
		{"2019-01-01T00:00:00+24:00", "expected Z or an offset", 22},
		{"2019-01-01T00:00:00+01:60", "expected Z or an offset", 25},
		{"2019-01-01T00:00:00+01", "expected Z or an offset", 22},
		{"2019-01-01T00:00:00+0100", "expected Z or an offset", 22},
		{"2019-01-01T00:00:00Zulu", "unexpected 'ulu' after a date", 20},
		{"2019-01-01 00:00:00Z", "expected ';'", 4},
	} {
		got, err := ParseTerm(c.src, nil)
		if err == nil {
			t.Errorf("%s: read as %v, want an error", c.src, got)
			continue
		}
		wantError(t, c.src, err, c.offset, c.msg)
	}
}

func TestEveryDatePrintsAndParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Uint64().Draw(t, "date"))
		got, err := ParseTerm(d.String(), nil)
		if err != nil || got != d {
			t.Fatalf("%d prints as %s and reads as %v, %v", uint64(d), d, got, err)
		}
	})
}

// Up to the year 9999 the standard library is the judge.
func TestDatesAgreeWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(0, 253402300799-86400).Draw(t, "seconds")
		offset := rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset")
		at := time.Unix(seconds, 0)
		if got, want := Date(seconds).String(), at.UTC().Format(time.RFC3339); got != want {
			t.Fatalf("%d prints as %s, want %s", seconds, got, want)
		}
		local := at.In(time.FixedZone("", offset*60)).Format(time.RFC3339Nano)
		if got, err := ParseTerm(local, nil); err != nil || got != Date(seconds) {
			t.Fatalf("%s reads as %v, %v; want %d", local, got, err, seconds)
		}
	})
	// Around every turn of a month through two eras, where a slip would hide.
	for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2800; at = at.AddDate(0, 1, 0) {
		for _, s := range []int64{at.Unix(), at.Unix() + 86400*27, at.AddDate(0, 1, 0).Unix() - 1} {
			want := time.Unix(s, 0).UTC().Format(time.RFC3339)
			if got := Date(s).String(); got != want {
				t.Fatalf("%d prints as %s, want %s", s, got, want)
			}
			if got, err := ParseTerm(want, nil); err != nil || got != Date(s) {
				t.Fatalf("%s reads as %v, %v", want, got, err)
			}
		}
	}
}
