#!/bin/bash
# Two machines with eight GPUs each under SLURM: sbatch configs/trainer/slurm.sh
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gres=gpu:8
#SBATCH --cpus-per-task=4
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@120
# Two minutes before its time is up the run keeps its state and ends with code 143; then the job queues up again.
if [ -f runs/dcgan/nodes/checkpoints/last.ckpt ]; then
    srun genzoo fit runs/dcgan/nodes
else
    srun genzoo fit --config configs/dcgan.yaml --config configs/trainer/nodes.yaml --run.name nodes
fi
if [ $? = 143 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
