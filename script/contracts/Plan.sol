// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DpuGovernor} from "src-contracts/DpuGovernor.sol";
import {DpuTimelock} from "src-contracts/DpuTimelock.sol";
import {DpuToken} from "src-contracts/DpuToken.sol";
import {Market} from "src-contracts/Market.sol";
import {CapabilityProofs} from "src-contracts/capability/CapabilityProofs.sol";
import {MarketCourt} from "src-contracts/court/MarketCourt.sol";
import {MarketExits} from "src-contracts/court/MarketExits.sol";
import {ComputeCredits} from "src-contracts/credits/ComputeCredits.sol";
import {MarketExtension} from "src-contracts/extension/MarketExtension.sol";
import {Benchmark} from "src-contracts/interfaces/ICapabilityProofs.sol";
import {MarketPanels} from "src-contracts/panels/MarketPanels.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice The windows of governance, in seconds.
struct Windows {
    uint48 votingDelay;
    uint32 votingPeriod;
    uint48 lateQuorum;
    uint256 timelock;
}

/// @notice What is to be deployed, and for whom.
struct Plan {
    /// Sends the transactions and has nothing afterwards.
    address deployer;
    /// Gets the whole supply of DPU.
    address holder;
    address guardian;
    /// Zero: the timelock.
    address treasury;
    /// Opened beside DPU.
    address[] currencies;
    /// Ids of runtimes opened beside wasm.
    uint256[] runtimes;
    Params params;
    Windows windows;
    /// Seconds of an epoch of the credits.
    uint24 epochLength;
    /// Tiers that can be proven from the start, and what proves them.
    uint8[] tiers;
    Benchmark[] benchmarks;
    /// A local network, where the deployer may hold the supply.
    bool playMoney;
}

/// @notice What was deployed.
struct Deployed {
    uint256 startBlock;
    DpuToken token;
    DpuTimelock timelock;
    DpuGovernor governor;
    MarketCourt court;
    MarketExits exits;
    MarketPanels panels;
    MarketExtension extension;
    Market market;
    ComputeCredits credits;
    CapabilityProofs proofs;
}
