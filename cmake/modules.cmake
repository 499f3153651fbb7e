# exhibit_module(NAME DEPENDS other modules… LIBRARIES imported targets… TEST_LIBRARIES …)
# One static library of the folder's .cc files, and one test program of its *_test.cc files.
function(exhibit_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ARG_DEPENDS PREPEND exhibit_)
  if(sources)
    add_library(exhibit_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(exhibit_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(exhibit_${name} ${scope} ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/modules)
  target_link_libraries(exhibit_${name} ${scope} ${ARG_DEPENDS} ${ARG_LIBRARIES})
  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE exhibit_${name} exhibit_test_support ${ARG_TEST_LIBRARIES} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
  endif()
endfunction()

# exhibit_table(TARGET FOLDER f TYPE t NAMESPACE n HEADER h FUNCTION fn SUFFIX s)
# A table made from a folder: one row for each NAME.cc or NAME/ in it, sorted by name. The entry defines `NAME` + SUFFIX
# ('-' as '_'), an `extern const TYPE`; FUNCTION gives the rows as std::span<const TYPE* const>. So adding one thing
# touches one place, and nothing registers itself at run time.
function(exhibit_table target)
  cmake_parse_arguments(ARG "" "FOLDER;TYPE;NAMESPACE;HEADER;FUNCTION;SUFFIX" "" ${ARGN})
  file(GLOB entries CONFIGURE_DEPENDS LIST_DIRECTORIES true
    RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_FOLDER} ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_FOLDER}/*)
  list(TRANSFORM entries REPLACE "\\.cc$" "")
  list(SORT entries)
  set(declarations "")
  set(rows "")
  foreach(name IN LISTS entries)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    string(APPEND declarations "extern const ${ARG_TYPE} ${identifier}${ARG_SUFFIX};\n")
    string(APPEND rows "\n      &${identifier}${ARG_SUFFIX},")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cc @ONLY CONTENT [[
// Made by CMake from the entries of @ARG_FOLDER@/.
#include "@ARG_HEADER@"

namespace @ARG_NAMESPACE@ {
@declarations@
std::span<const @ARG_TYPE@* const> @ARG_FUNCTION@() {
  static constexpr const @ARG_TYPE@* table[] = {@rows@
  };
  return table;
}

}  // namespace @ARG_NAMESPACE@
]])
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cc)
endfunction()

# exhibit_texts(TARGET FOLDER f TYPE t NAMESPACE n HEADER h FUNCTION fn)
# The FOLDER's .json files, built in whole: one row {"NAME", text} for each, sorted by name; FUNCTION gives the rows as
# std::span<const TYPE>. TYPE has a `const char* name` and a `std::string_view text`.
function(exhibit_texts target)
  cmake_parse_arguments(ARG "" "FOLDER;TYPE;NAMESPACE;HEADER;FUNCTION" "" ${ARGN})
  get_filename_component(folder ${ARG_FOLDER} ABSOLUTE)
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${folder})
  file(GLOB paths CONFIGURE_DEPENDS ${folder}/*.json)
  list(SORT paths)
  set(rows "")
  foreach(path IN LISTS paths)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    get_filename_component(name ${path} NAME_WE)
    file(READ ${path} text)
    string(APPEND rows "\n      {\"${name}\", R\"built_in(${text})built_in\"sv},")
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cc)
  file(WRITE ${made}.new "// Made by CMake from ${place}/.
#include \"${ARG_HEADER}\"

namespace ${ARG_NAMESPACE} {

std::span<const ${ARG_TYPE}> ${ARG_FUNCTION}() {
  using std::literals::operator\"\"sv;  // knows its length: counting it is more than a compiler will do for a constant
  static constexpr ${ARG_TYPE} files[] = {${rows}
  };
  return files;
}

}  // namespace ${ARG_NAMESPACE}
")
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${made}.new ${made})
  target_sources(${target} PRIVATE ${made})
endfunction()
