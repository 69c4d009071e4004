// A guest in Go, with the runtime of the standard toolchain: goroutines, garbage collector, `_initialize`.
package main

import (
	"strings"
	"unsafe"
)

//go:wasmimport env ws_log
func wsLog(level int32, ptr unsafe.Pointer, size uint32) int32

//go:wasmimport env ws_get_data
func wsGetData(rid int32, ptr unsafe.Pointer, size unsafe.Pointer) int32

//go:wasmimport env ws_get_db
func wsGetDB(key unsafe.Pointer, keySize uint32, ptr unsafe.Pointer, size unsafe.Pointer) int32

//go:wasmimport env ws_set_db
func wsSetDB(key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) int32

// Blocks handed to the host, kept by address so that the collector leaves them alone, as the published Go kit does.
var blocks = map[uint32][]byte{}

// Of the instance, not of the project: fresh memory makes every call see 0.
var calls int32

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

func bytesOf(text string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))
}

func logLine(level int32, line string) {
	ptr, size := bytesOf(line)
	wsLog(level, ptr, size)
}

func payloadOf(rid int32) (string, int32) {
	var address, size uint32
	if code := wsGetData(rid, unsafe.Pointer(&address), unsafe.Pointer(&size)); code != 0 {
		return "", code
	}
	return string(blocks[address]), 0
}

// Logs the payload.
//
//go:wasmexport start
func start(rid int32) int32 {
	payload, code := payloadOf(rid)
	if code != 0 {
		logLine(2, "no payload")
		return -code
	}
	logLine(4, payload)
	return 0
}

// Counts the calls of this instance: 1 each time when every call sees fresh memory.
//
//go:wasmexport count_calls
func countCalls(rid int32) int32 {
	calls++
	return calls
}

// Counts the payload's words with a goroutine per word, stores the number under `words` as decimal text, returns it.
//
//go:wasmexport count_words
func countWords(rid int32) int32 {
	payload, code := payloadOf(rid)
	if code != 0 {
		return -code
	}
	words := strings.Fields(payload)
	counted := make(chan int32, len(words))
	for range words {
		go func() { counted <- 1 }()
	}
	total := int32(0)
	for range words {
		total += <-counted
	}
	key, keySize := bytesOf("words")
	value, valueSize := bytesOf(decimal(total))
	if code := wsSetDB(key, keySize, value, valueSize); code != 0 {
		return -1
	}
	return total
}

// Logs what `count_words` stored; −2 before it ran.
//
//go:wasmexport read_words
func readWords(rid int32) int32 {
	key, keySize := bytesOf("words")
	var address, size uint32
	if code := wsGetDB(key, keySize, unsafe.Pointer(&address), unsafe.Pointer(&size)); code != 0 {
		return -code
	}
	logLine(4, string(blocks[address]))
	return 0
}

func decimal(number int32) string {
	if number < 10 {
		return string(rune('0' + number))
	}
	return decimal(number/10) + decimal(number%10)
}

func main() {}
