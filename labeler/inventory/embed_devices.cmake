# SPDX-License-Identifier: Apache-2.0
# Turns the device table into C: cmake -DINPUT=devices.ini -DOUTPUT=devices_builtin.c -P this
cmake_minimum_required(VERSION 3.22)

set(vendor_amd 0x1002)
set(vendor_intel 0x8086)
file(READ ${INPUT} text)
set(line_number 0)
set(vendor "")
set(before "")
set(rows "")

macro(fail why)
  message(FATAL_ERROR "${INPUT}:${line_number}: ${why}")
endmacro()

# A column as a C string, or NULL.
function(c_string column result)
  string(STRIP "${column}" column)
  if(column STREQUAL "")
    set(${result} NULL PARENT_SCOPE)
  else()
    set(${result} "\"${column}\"" PARENT_SCOPE)
  endif()
endfunction()

# Line by line and not as a list: a list would stumble over ; and [ in the text.
while(NOT text STREQUAL "")
  string(FIND "${text}" "\n" end)
  string(SUBSTRING "${text}" 0 ${end} line)
  if(end EQUAL -1)
    set(text "")
  else()
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${text}" ${end} -1 text)
  endif()
  math(EXPR line_number "${line_number} + 1")

  if(line MATCHES "^[;#]" OR line MATCHES "^[ \t]*$")
    continue()
  endif()
  if(line MATCHES "^\\[([a-z]+)\\]$")
    set(section "${CMAKE_MATCH_1}")
    set(last_vendor "${vendor}")
    set(vendor "${vendor_${section}}")
    set(before "")
    if(vendor STREQUAL "")
      fail("[${section}]: neither [amd] nor [intel]")
    elseif(NOT last_vendor STREQUAL "" AND NOT vendor STRGREATER last_vendor)
      fail("[${section}]: sections are [amd], then [intel], each once")
    endif()
    continue()
  endif()
  if(NOT line MATCHES "^([0-9a-f][0-9a-f][0-9a-f][0-9a-f]) *= *(PF|VF|GPU) *\\|([^|;\"\\]+)(\\|([^|;\"\\]*)(\\|([^|;\"\\]*))?)?$")
    fail("is not: id = PF, VF or GPU | name | product | family")
  endif()
  set(id ${CMAKE_MATCH_1})
  set(kind ${CMAKE_MATCH_2})
  c_string("${CMAKE_MATCH_3}" name)
  c_string("${CMAKE_MATCH_5}" product)
  c_string("${CMAKE_MATCH_7}" family)
  if(vendor STREQUAL "")
    fail("${id}: stands before the first section")
  elseif(name STREQUAL NULL)
    fail("${id}: has no name")
  elseif(NOT before STREQUAL "" AND NOT id STRGREATER before)
    fail("${id}: ids must ascend, each once")
  endif()
  set(before ${id})
  string(APPEND rows "\t{${vendor}, 0x${id}, DEVICE_${kind}, ${name}, ${product}, ${family}},\n")
endwhile()

file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
/* Generated from conf/devices.ini: edit that. */
#include "inventory/devices.h"

static const struct device rows[] = {
@rows@};

const struct device_table devices_builtin = {
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(rows[0]),
};
]])
