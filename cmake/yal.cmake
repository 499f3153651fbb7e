# exhibit_yal(TARGET LIBRARY)
# A libyal library (LIBRARY without `lib`) with its libbfio in one object that shows nothing but their interfaces, the
# latter as LIBRARY_bfio_handle_initialize and LIBRARY_bfio_handle_free: libewf exports its own, older copy of libbfio
# and of the helper libraries within both, and what is loaded first would serve all of them.
function(exhibit_yal target library)
  find_library(YAL_${library} lib${library}.a REQUIRED)
  find_library(YAL_bfio libbfio.a REQUIRED)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${library}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r -o ${object}.all --undefined=libbfio_handle_initialize --undefined=libbfio_handle_free
      --whole-archive ${YAL_${library}} --no-whole-archive ${YAL_bfio}
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=lib${library}_* --keep-global-symbol=libbfio_handle_initialize
      --keep-global-symbol=libbfio_handle_free ${object}.all ${object}
    COMMAND ${CMAKE_OBJCOPY} --redefine-sym libbfio_handle_initialize=${library}_bfio_handle_initialize
      --redefine-sym libbfio_handle_free=${library}_bfio_handle_free ${object}
    DEPENDS ${YAL_${library}} ${YAL_bfio} VERBATIM)
  target_sources(${target} PRIVATE ${object})
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
endfunction()
