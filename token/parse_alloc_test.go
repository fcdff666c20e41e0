package token

import "testing"

// TestFurtherBlocksAllocate: a further block takes what it says, and what the blocks have
// in common is made once.
func TestFurtherBlocksAllocate(t *testing.T) {
	read := func(blocks int) float64 {
		minted, err := Mint(numberedKey(t, 0), parsed(t, `right("file1", "read");`), WithSecret(numberedKey(t, 1)), nil)
		if err != nil {
			t.Fatal(err)
		}
		c := Chain(minted)
		for i := 1; i < blocks; i++ {
			content := parsed(t, `check if resource("file1"); check if time($t), $t < 2030-01-01T00:00:00Z;`)
			if c, err = c.Append(numberedKey(t, i), content, WithSecret(numberedKey(t, i+1))); err != nil {
				t.Fatal(err)
			}
		}
		data := c.Bytes()
		return testing.AllocsPerRun(100, func() {
			u, err := Parse(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := u.UnverifiedBlocks(); err != nil || len(got) != blocks {
				t.Fatal(err)
			}
		})
	}
	if four, ten := read(4), read(10); ten-four > 6*8 {
		t.Errorf("%v allocations for 4 blocks, %v for 10", four, ten)
	}
}
