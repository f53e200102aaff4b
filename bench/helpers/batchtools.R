# Maps x * 2 with batchtools and prints how long that took: batchtools.R ENGINE REGISTRY NUM_TASKS NUM_CHUNKS arrays|singles SLOTS
suppressPackageStartupMessages(library(batchtools))
args <- commandArgs(trailingOnly = TRUE)
engine <- args[[1]]
numTasks <- as.integer(args[[3]])
numChunks <- as.integer(args[[4]])
isArrays <- args[[5]] == "arrays"

# The templates that come with it ask for memory and time, which would be another measurement.
template <- file.path(args[[2]], "template.tmpl")
if (engine == "grid-engine") writeLines(c(
	"#!/bin/sh",
	"#$ -N <%= job.name %>",
	"#$ -j y",
	"#$ -o <%= log.file %>",
	"#$ -cwd",
	"#$ -S /bin/sh",
	"<%= if (array.jobs) sprintf('#$ -t 1-%i', nrow(jobs)) else '' %>",
	"Rscript --vanilla -e 'batchtools::doJobCollection(\"<%= uri %>\")'"), template)
if (engine == "slurm") writeLines(c(
	"#!/bin/sh",
	"#SBATCH --job-name=<%= job.name %>",
	"#SBATCH --output=<%= log.file %>",
	"<%= if (array.jobs) sprintf('#SBATCH --array=1-%i', nrow(jobs)) else '' %>",
	"Rscript --vanilla -e 'batchtools::doJobCollection(\"<%= uri %>\")'"), template)

options(batchtools.progress = FALSE, batchtools.verbose = FALSE)
started <- proc.time()[["elapsed"]]
registry <- makeRegistry(file.path(args[[2]], "registry"), conf.file = NA)
registry$cluster.functions <- switch(engine,
	"grid-engine" = makeClusterFunctionsSGE(template = template),
	"slurm" = makeClusterFunctionsSlurm(template = template, array.jobs = isArrays),
	"local" = makeClusterFunctionsMulticore(ncpus = as.integer(args[[6]])))
ids <- batchMap(function(x) x * 2, seq_len(numTasks))
ids$chunk <- if (numChunks == numTasks) ids$job.id else chunk(ids$job.id, n.chunks = numChunks)
if (isArrays && numChunks == numTasks && engine != "local") {
	ids$chunk <- 1L
	submitJobs(ids, resources = list(chunks.as.arrayjobs = TRUE))
} else submitJobs(ids)
# Its own intervals begin at 5 s: that would be most of the time.
waitForJobs(sleep = 1)
results <- unlist(reduceResultsList())
stopifnot(length(results) == numTasks, all(results == 2 * seq_len(numTasks)))
cat(sprintf("seconds %.3f\n", proc.time()[["elapsed"]] - started))
