# How ctest runs the tests side by side.
#
# Most of them wait for time to pass and hardly compute: such a one takes one
# place.  One that keeps a core busy takes three of the four places a core that
# spec/run gives ctest, so that there is one on each core and others wait
# beside them.  What takes longest goes first, the busy ones before all: the
# place of one that ends is then for the next.

set(GPTIMAGE2_BUSY_PLACES 3)
set(GPTIMAGE2_BUSY_FIRST 1000)
set(GPTIMAGE2_ALONE_FIRST 2000)

# Seconds that the longer specs take under a sanitizer; they are as long in
# relation to each other elsewhere.
set(GPTIMAGE2_SECONDS_deadline 72)
set(GPTIMAGE2_SECONDS_durable 46)
set(GPTIMAGE2_SECONDS_retry 37)
set(GPTIMAGE2_SECONDS_connections 25)
set(GPTIMAGE2_SECONDS_shortage 15)
set(GPTIMAGE2_SECONDS_lifecycle 32)
set(GPTIMAGE2_SECONDS_data 27)
set(GPTIMAGE2_SECONDS_sandbox_faults 27)
set(GPTIMAGE2_SECONDS_once 25)
set(GPTIMAGE2_SECONDS_pace 23)
set(GPTIMAGE2_SECONDS_exit 20)
set(GPTIMAGE2_SECONDS_reentry 20)
set(GPTIMAGE2_SECONDS_save_fetched 19)
set(GPTIMAGE2_SECONDS_sandbox_answers 18)
set(GPTIMAGE2_SECONDS_examples 15)
set(GPTIMAGE2_SECONDS_job_wait 13)
set(GPTIMAGE2_SECONDS_polling 13)
set(GPTIMAGE2_SECONDS_job 12)
set(GPTIMAGE2_SECONDS_fetch 10)
set(GPTIMAGE2_SECONDS_history 10)
set(GPTIMAGE2_SECONDS_parting 10)
set(GPTIMAGE2_SECONDS_save 9)
set(GPTIMAGE2_SECONDS_opening 9)
set(GPTIMAGE2_SECONDS_save_asked 8)
set(GPTIMAGE2_SECONDS_reply 8)
set(GPTIMAGE2_SECONDS_handles 8)
set(GPTIMAGE2_SECONDS_account 5)
set(GPTIMAGE2_SECONDS_decode 5)
set(GPTIMAGE2_SECONDS_event 5)
set(GPTIMAGE2_SECONDS_fork 5)
set(GPTIMAGE2_SECONDS_ledger 5)
set(GPTIMAGE2_SECONDS_ledger_size 10)
set(GPTIMAGE2_SECONDS_regression_timeout 4)
set(GPTIMAGE2_SECONDS_save_names 4)
set(GPTIMAGE2_SECONDS_save_existing 4)
set(GPTIMAGE2_SECONDS_docs 4)
set(GPTIMAGE2_SECONDS_build_command 40)
set(GPTIMAGE2_SECONDS_generate_command 40)
set(GPTIMAGE2_SECONDS_decision_command 35)
set(GPTIMAGE2_SECONDS_command 30)
set(GPTIMAGE2_SECONDS_batch_command 30)
set(GPTIMAGE2_SECONDS_batch_kill 30)
set(GPTIMAGE2_SECONDS_ledger_check 20)
set(GPTIMAGE2_SECONDS_interrupt_command 25)
set(GPTIMAGE2_SECONDS_derive 10)
set(GPTIMAGE2_SECONDS_page_command 10)
set(GPTIMAGE2_SECONDS_shown 15)
set(GPTIMAGE2_SECONDS_ledger_command 20)
# Under valgrind those that wait are the same; the others compute.
set(GPTIMAGE2_WAITING connections data deadline fetch job job_wait once pace
  parting polling regression_closing regression_timeout retry sandbox_answers
  sandbox_faults shortage)

# The test takes about SECONDS, in which it keeps a core busy.
function(gptimage2_keeps_busy test seconds)
  math(EXPR cost "${GPTIMAGE2_BUSY_FIRST} + ${seconds}")
  set_tests_properties(${test} PROPERTIES
    PROCESSORS ${GPTIMAGE2_BUSY_PLACES} COST ${cost})
endfunction()

# The test needs the machine for itself.  It goes before all others: later,
# places would stay empty until none of them is left.
function(gptimage2_runs_alone test)
  set_tests_properties(${test} PROPERTIES
    RUN_SERIAL ON COST ${GPTIMAGE2_ALONE_FIRST})
endfunction()

# The test of one spec.
function(gptimage2_schedule_spec variant test spec)
  set(seconds 1)
  if(DEFINED GPTIMAGE2_SECONDS_${spec})
    set(seconds ${GPTIMAGE2_SECONDS_${spec}})
  endif()
  if(NOT variant STREQUAL "valgrind")
    set_tests_properties(${test} PROPERTIES COST ${seconds})
  elseif(spec IN_LIST GPTIMAGE2_WAITING)
    math(EXPR seconds "${seconds} + 5")
    set_tests_properties(${test} PROPERTIES COST ${seconds})
  else()
    math(EXPR seconds "10 * ${seconds}")
    gptimage2_keeps_busy(${test} ${seconds})
  endif()
endfunction()
