// Operators of a stream flow, by the protocol that the published Go kit's two stream examples show: an operator replaces the
// payload of its resource and returns the resource's number; REDUCE returns `rid` untouched for the first element.
package main

import (
	"strconv"
	"strings"
	"unsafe"
)

//go:wasmimport env ws_log
func wsLog(level int32, ptr unsafe.Pointer, size uint32) int32

//go:wasmimport env ws_get_data
func wsGetData(rid uint32, ptr unsafe.Pointer, size unsafe.Pointer) int32

//go:wasmimport env ws_set_data
func wsSetData(rid uint32, ptr unsafe.Pointer, size uint32) int32

// Blocks handed to the host, kept by address so that the collector leaves them alone.
var blocks = map[uint32][]byte{}

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	if size == 0 {
		return 0
	}
	block := make([]byte, size)
	address := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(block))))
	blocks[address] = block
	return address
}

// A customer, as the flow passes it on. Unknown fields are lost, as in the kit's example.
type customer struct {
	name, city, taxNumber string
	age                   int
}

const adult, taxed = 18, 30

// Passes customers who are of age.
//
//go:wasmexport filterAge
func filterAge(rid uint32) int32 {
	one, ok := read(rid)
	if !ok {
		return -1
	}
	return answer(rid, strconv.FormatBool(one.age >= adult))
}

// Gives a tax number to those who are old enough to pay.
//
//go:wasmexport mapTax
func mapTax(rid uint32) int32 {
	one, ok := read(rid)
	if !ok {
		return -1
	}
	if one.age >= taxed {
		one.taxNumber = "19832106687"
	}
	return answer(rid, one.json())
}

//go:wasmexport groupByCity
func groupByCity(rid uint32) int32 {
	one, ok := read(rid)
	if !ok {
		return -1
	}
	return answer(rid, one.city)
}

// Adds up the ages; all else is of the first customer.
//
//go:wasmexport sumAges
func sumAges(acc, rid uint32) int32 {
	if acc == 0 {
		return int32(rid)
	}
	sum, ok := read(acc)
	one, also := read(rid)
	if !ok || !also {
		return -1
	}
	sum.age += one.age
	return answer(acc, sum.json())
}

func read(rid uint32) (customer, bool) {
	var address, size uint32
	if code := wsGetData(rid, unsafe.Pointer(&address), unsafe.Pointer(&size)); code != 0 {
		return customer{}, false
	}
	fields := fieldsOf(string(blocks[address]))
	age, err := strconv.Atoi(fields["age"])
	if err != nil {
		tell("no age: " + err.Error())
		return customer{}, false
	}
	return customer{fields["name"], fields["city"], fields["taxNumber"], age}, true
}

// The members of a JSON object without nesting and escapes; encoding/json would make the module half as large again.
func fieldsOf(json string) map[string]string {
	fields := map[string]string{}
	for _, member := range strings.Split(strings.Trim(strings.TrimSpace(json), "{}"), ",") {
		if name, value, ok := strings.Cut(member, ":"); ok {
			fields[bare(name)] = bare(value)
		}
	}
	return fields
}

func bare(text string) string {
	return strings.Trim(strings.TrimSpace(text), `"`)
}

func (c customer) json() string {
	return `{"name":` + strconv.Quote(c.name) + `,"age":` + strconv.Itoa(c.age) + `,"city":` + strconv.Quote(c.city) +
		`,"taxNumber":` + strconv.Quote(c.taxNumber) + `}`
}

func answer(rid uint32, text string) int32 {
	if wsSetData(rid, unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))) != 0 {
		return -1
	}
	return int32(rid)
}

func tell(line string) {
	wsLog(2, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

func main() {}
