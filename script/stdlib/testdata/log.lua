local check, log = require "check", require "log"

log.info("one %d", 1)
log.warn("100%")
log.debug("hidden")
log.info(5)
check.fails('log.debug: argument 1 of format: %d needs a number, got a string value', log.debug, "%d", "x")
