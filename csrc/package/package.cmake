# The C++ package: rnnfast.h, a library that needs neither Python nor these sources, and what CMake's
# find_package(rnnfast) reads. Of the library nothing is seen but the functions of the header.
#
#   rnnfast::rnnfast   the shared library
#   rnnfast::static    the static one, with RNNFAST_STATIC_LIBRARY

add_library(rnnfast_package OBJECT
  csrc/files/json.cpp
  csrc/files/safetensors.cpp
  csrc/package/models.cpp
  csrc/package/precision.cpp
  csrc/package/stack.cpp
  csrc/package/stack_file.cpp
  csrc/package/status.cpp
  csrc/package/streams.cpp)
target_link_libraries(rnnfast_package PUBLIC rnnfast_serving)
target_include_directories(rnnfast_package PUBLIC rnnfast/include)
target_compile_definitions(rnnfast_package PRIVATE RNNFAST_VERSION="${PROJECT_VERSION}")
rnnfast_protect(rnnfast_package)

# Within Python's package, or wherever CMake installs.
include(GNUInstallDirs)
if(RNNFAST_PYTHON)
  set(include rnnfast/include)
  set(library rnnfast/lib)
else()
  set(include ${CMAKE_INSTALL_INCLUDEDIR})
  set(library ${CMAKE_INSTALL_LIBDIR})
endif()

function(rnnfast_library name kind)
  add_library(rnnfast_${name} ${kind}
    $<TARGET_OBJECTS:rnnfast_package>
    $<TARGET_OBJECTS:rnnfast_serving>
    $<TARGET_OBJECTS:rnnfast_api>
    $<TARGET_OBJECTS:rnnfast_kernels>
    ${target_objects})
  set_target_properties(rnnfast_${name} PROPERTIES OUTPUT_NAME rnnfast EXPORT_NAME ${name}
    LINKER_LANGUAGE CXX)
  target_include_directories(rnnfast_${name} INTERFACE $<INSTALL_INTERFACE:${include}>)
  target_link_libraries(rnnfast_${name} PRIVATE Threads::Threads)
  if(RNNFAST_USES_OPENMP)
    target_link_libraries(rnnfast_${name} PRIVATE OpenMP::OpenMP_CXX)
  endif()
  install(TARGETS rnnfast_${name} EXPORT rnnfast_libraries COMPONENT package
    ARCHIVE DESTINATION ${library} LIBRARY DESTINATION ${library} NAMELINK_COMPONENT package)
endfunction()

rnnfast_library(shared SHARED)
if(NOT RNNFAST_PYTHON)  # a wheel has no links, and would have each name's copy
  set_target_properties(rnnfast_shared PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endif()
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_link_options(rnnfast_shared PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/csrc/package/symbols.map -Wl,-z,relro,-z,now)
  set_target_properties(rnnfast_shared PROPERTIES
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/csrc/package/symbols.map)
endif()
if(RNNFAST_STATIC_LIBRARY)
  rnnfast_library(static STATIC)
endif()

include(CMakePackageConfigHelpers)
set(of_cmake ${library}/cmake/rnnfast)
configure_package_config_file(csrc/package/rnnfastConfig.cmake.in rnnfastConfig.cmake
  INSTALL_DESTINATION ${of_cmake} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(rnnfastConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rnnfastConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/rnnfastConfigVersion.cmake
  DESTINATION ${of_cmake} COMPONENT package)
install(EXPORT rnnfast_libraries NAMESPACE rnnfast:: DESTINATION ${of_cmake} COMPONENT package)
install(FILES rnnfast/include/rnnfast.h
  DESTINATION ${include} COMPONENT package)
